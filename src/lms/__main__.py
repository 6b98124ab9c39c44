"""How does `python -m lms` start?"""

from lms.cli import main

if __name__ == "__main__":
    main()
