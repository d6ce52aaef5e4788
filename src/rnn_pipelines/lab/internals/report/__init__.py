"""The report of gates and states."""
