"""The command line: one small module for each group of commands, which loads the library only when it is run."""
