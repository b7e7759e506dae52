// SPDX-License-Identifier: BSL-1.0

#include <brood/remote/impl/arrival.ipp>
#include <brood/remote/impl/command_launcher.ipp>
#include <brood/remote/impl/external.ipp>
#include <brood/remote/impl/secret.ipp>
#include <brood/remote/impl/slurm.ipp>
#include <brood/remote/impl/ssh.ipp>
#include <brood/remote/impl/tls.ipp>
