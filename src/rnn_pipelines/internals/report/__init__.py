"""What people see of gates and states."""
