"""One-off proofs beside the tests: fuzzing, symbolic execution and volume runs, each with a command of its own."""
