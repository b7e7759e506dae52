// SPDX-License-Identifier: BSL-1.0

#include <brood/remote/impl/deploy.ipp>
#include <brood/remote/impl/host_list.ipp>
#include <brood/remote/impl/launch_command.ipp>
#include <brood/remote/impl/launched_exit.ipp>
#include <brood/remote/impl/node_list.ipp>
#include <brood/remote/impl/placement.ipp>
#include <brood/remote/impl/program_file.ipp>
#include <brood/remote/impl/reverse_forward.ipp>
#include <brood/remote/impl/slurm_allocation.ipp>
#include <brood/remote/impl/slurm_command.ipp>
#include <brood/remote/impl/slurm_options.ipp>
#include <brood/remote/impl/ssh_command.ipp>
#include <brood/remote/impl/ssh_failure.ipp>
