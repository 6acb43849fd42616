"""What the application checks and does: purchasing, business partners, goods movements, maintenance.

`registry` tells which function creates, changes and deletes the rows of a set. Rules raise `ODataError` before they
change anything, so a refused call leaves no trace.
"""
