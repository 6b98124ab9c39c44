"""What may be said, on these figures, and how sure is it? Pure functions; scipy and statsmodels load when asked."""
