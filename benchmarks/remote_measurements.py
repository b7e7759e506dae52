"""Workers elsewhere: calls over TCP, and starts by the sshd and the Slurm of the tests, here."""

from contestants import Contestant, Measurement, built, ours, raw


def against(name, *arguments):
    """What `ssh true` or `srun true` takes, in the same surroundings."""
    return Contestant(name, ours('remote', 'true', *arguments).command, uses=USES[arguments[0]])


# What is not installed leaves the measurement out.
USES = {'ssh': ['sshd', 'ssh'], 'slurm': ['slurmctld', 'slurmd', 'srun', 'salloc']}


def start(*arguments):
    contestant = ours('remote', 'start', *arguments)
    contestant.uses = USES[arguments[0]]
    return contestant


def simulated(workers, what, unit, mode):
    """Workers that one other process plays."""
    return Measurement(f'remote, {workers:,} simulated workers: {what}', unit, [
        ours('remote', 'simulated', mode, workers)])


def measurements(few):
    over_tcp = raw('round_trip', few(20_000), 'tcp')
    result = [
        Measurement('remote, round trip of a call over TCP', 'µs', [
            ours('remote', 'round_trip', few(20_000)), over_tcp], targets={'limit': 1.3})]
    for workers in (2, 8):
        local = Contestant('local', [built('pool'), 'calls', str(workers), str(few(400_000))])
        result.append(Measurement(
            f'remote, pool of {workers}, 16 calls under way for each', 'calls/s', [
                ours('remote', 'calls', workers, few(400_000)), local],
            higher_is_better=True, targets={'local': 0.5}))
    return result + [
        Measurement('remote, start of a worker over ssh', 'ms', [
            start('ssh'), against('ssh true', 'ssh')], targets={'ssh true': 1.2}),
        Measurement('remote, start of a worker by Slurm', 'ms', [
            start('slurm'), against('srun true', 'slurm')], targets={'srun true': 1.2}),
        Measurement('remote, 64 workers of two nodes by Slurm', 'ms', [
            start('slurm', 64), against('64 srun true', 'slurm', 64)],
            targets={'64 srun true': 1.5}),
        Measurement('remote, memory here of an idle worker', 'KiB', [
            ours('remote', 'memory', 64)]),
        Measurement('remote, time here of 64 idle workers', 'ms/s', [ours('remote', 'idle', 64)]),
        simulated(few(1_000), 'memory here of an idle worker', 'KiB', 'memory'),
        simulated(few(1_000), 'time here of idle workers', 'ms/s', 'idle'),
        simulated(few(1_000), 'time here of a heartbeat, there and back', 'µs', 'beat'),
        simulated(few(1_000), 'time here of a call', 'µs', 'call'),
    ]
