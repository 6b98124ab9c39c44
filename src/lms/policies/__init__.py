"""What follows from what happened, or from time passing: events to commands."""
