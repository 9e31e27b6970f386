"""The lab: boto3 in a sandbox, without an account, a bill or a network, on a clock that the learner moves.

    from kit import lab                      # seals this process: nothing leaves the machine from here on

    sandbox = lab.start()
    sqs = sandbox.client("sqs")              # plain boto3.client("sqs") works as well
    sandbox.clock.advance(seconds=31)        # time stands still until it is moved
    sandbox.reset()                          # everything gone, the same ids again

Importing this module is cheap; boto3 and moto are imported by ``start`` alone.
"""

from kit.lab.sandbox import Sandbox, load, start
from kit.lab.seal import RealAWSBlocked, seal

__all__ = ["RealAWSBlocked", "Sandbox", "load", "start"]

seal()
