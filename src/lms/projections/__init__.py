"""What can be asked: one pair ``name.py`` and ``name.sql`` per read model."""
