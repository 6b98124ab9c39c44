"""What does an organisation gain from what its people learn?"""
