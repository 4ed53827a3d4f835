"""The product's processes run as one: for the demo, a developer's desk and the journey tests."""
