"""What do BI tools read: one star schema, built and switched as one unit."""
