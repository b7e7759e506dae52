// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cereal/cereal.hpp>

// What cereal has to know about our archives before it meets a type.

namespace brood
{

class archive_writer;
class archive_reader;

} // namespace brood

namespace cereal
{

/// A base of our archives: cereal's functions for the types of std are found because a base of the
/// archive stands beside them.
struct brood_archive
{
};

namespace memory_detail
{

template <class Pointer>
struct PtrWrapper;

} // namespace memory_detail
} // namespace cereal

CEREAL_SETUP_ARCHIVE_TRAITS(brood::archive_reader, brood::archive_writer)
CEREAL_REGISTER_ARCHIVE(brood::archive_writer)
CEREAL_REGISTER_ARCHIVE(brood::archive_reader)
