"""What a refresh has to build: changes.py asks the warehouse, state.py remembers what was done."""
