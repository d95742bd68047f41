"""This machine: its clock, its folders, its processes, and the person at its terminal."""
