"""For teachers: programs run sealed off, work collected and graded. It knows no topic and no service."""
