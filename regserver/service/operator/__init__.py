"""What an operator does, one module for each kind of thing; the command line, /admin and the operator's page call it.

    credential → the key behind it → may its role do this? → the use case, and its row in the audit
                 unit.OperatorUnit

All of this is one transaction. What has to be told to sockets is told after it, where this process has them.
"""
