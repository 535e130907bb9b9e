"""Where jobs are carried out, behind one interface: `executor.Executor`."""
