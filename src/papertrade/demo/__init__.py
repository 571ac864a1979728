"""The bundled day and the small strategy behind `python -m papertrade demo`."""
