"""What one hostile client can do to the server and to everybody else."""
