"""The routes below ``/api``, one subject a module, and the models of what they take and return."""
