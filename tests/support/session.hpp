// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Runs the tests of this program by Catch's command line and gives what main() returns.
///
/// Catch itself takes 12 seconds to compile: session.cpp is compiled once, for all tests.
int run_tests(int argc, char** argv);
