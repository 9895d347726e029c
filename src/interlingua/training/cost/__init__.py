"""What a run will cost, told before it runs: parameters, operations, memory, time, energy."""
