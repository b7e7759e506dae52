// SPDX-License-Identifier: BSL-1.0
// For -Dprecompile=brood: brood too, for a build of all tests that nobody will edit.

#include "tests.hpp"

#include <brood/brood.hpp>
#include <brood/metrics.hpp>

#if __has_include(<boost/beast/http/basic_parser.hpp>)
#include <brood/http.hpp>
#endif
