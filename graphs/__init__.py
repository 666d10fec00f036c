"""Settings, composition, wiring, routes, and the steps taken by code."""
