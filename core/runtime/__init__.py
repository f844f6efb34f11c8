"""How any work is carried out: progress, the cache, jobs, the worker process, folders."""
