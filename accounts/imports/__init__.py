"""Imports of a network and its contacts from CSV and XLSX: read, map, check without writing, confirm, write.

``steps`` has the verbs that pages, tasks and commands call; the other modules each do one step of the way.
"""
