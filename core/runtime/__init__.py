"""How work is carried out, whatever it is: progress, the cache, jobs, the worker, folders."""
