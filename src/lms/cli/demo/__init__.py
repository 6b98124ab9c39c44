"""What does the product look like after a year and a half of use?

A made-up retail and service company, told through the same commands as the API sends. Nobody in it exists.
"""
