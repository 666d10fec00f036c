"""DynamoDB: what the emulator leaves out of changing a table's capacity."""
