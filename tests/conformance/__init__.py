"""The suite of cases that every connector is tried with, run by pytest on each system's sandbox."""
