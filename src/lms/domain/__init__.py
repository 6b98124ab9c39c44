"""What may happen: one file per aggregate, pure, without clock, chance or I/O."""
