"""The HTTP door: who may come in, what each route does, and the sweeper that runs beside it."""
