"""What a pull request is told: slim.py is what a slim build leaves, comment.py words it."""
