// SPDX-License-Identifier: BSL-1.0
#pragma once

// Workers on other machines: optional, not in brood.hpp. Needs OpenSSL. A program that includes
// it can be such a worker.

#include <brood/impl/config.hpp>

#include <brood/remote/arrival.hpp>
#include <brood/remote/command_launcher.hpp>
#include <brood/remote/command_options.hpp>
#include <brood/remote/deploy.hpp>
#include <brood/remote/external.hpp>
#include <brood/remote/host_list.hpp>
#include <brood/remote/launch_command.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/node_list.hpp>
#include <brood/remote/placement.hpp>
#include <brood/remote/program_file.hpp>
#include <brood/remote/reverse_forward.hpp>
#include <brood/remote/slurm.hpp>
#include <brood/remote/slurm_allocation.hpp>
#include <brood/remote/slurm_command.hpp>
#include <brood/remote/slurm_options.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/remote/ssh_command.hpp>
#include <brood/remote/ssh_failure.hpp>
#include <brood/remote/ssh_options.hpp>
