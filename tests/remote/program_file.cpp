// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/program_file.hpp>

#include <brood/process/exec.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <stdexcept>
#include <string>
#include <system_error>

using brood::program_file;
using brood::test::temporary_directory;

namespace
{

/// As cksum(1) says it.
std::string by_cksum(const std::string& path)
{
    auto said = brood::exec_file_sync("cksum", {path}).out;
    return said.substr(0, said.find(' ', said.find(' ') + 1));
}

std::string checksum(const program_file& file)
{
    return std::to_string(file.checksum) + ' ' + std::to_string(file.size);
}

} // namespace

TEST_CASE("the checksum of a program is that of cksum", "[remote]")
{
    temporary_directory folder;
    for (std::size_t size : {1u, 255u, 256u, 70'000u})
    {
        std::string bytes;
        while (bytes.size() < size)
            bytes += static_cast<char>(bytes.size() * 31 + bytes.size() / 256);
        auto path = folder.write("program", bytes);

        CHECK(checksum(program_file::read(path)) == by_cksum(path));
    }
    auto self = program_file::self();
    CHECK(checksum(self) == by_cksum(self.path));
}

TEST_CASE("another build has another hash, and a copy the same", "[remote]")
{
    temporary_directory folder;
    auto one = program_file::read(folder.write("one", "#!/bin/sh\necho 1\n"));
    auto copy = program_file::read(folder.write("copy", "#!/bin/sh\necho 1\n"));
    auto other = program_file::read(folder.write("other", "#!/bin/sh\necho 2\n"));

    CHECK(one.hash.size() == 16);
    CHECK(one.hash == copy.hash);
    CHECK(one.hash != other.hash);
    CHECK(one.path == folder / "one");
}

TEST_CASE("what is no program is refused", "[remote]")
{
    temporary_directory folder;

    CHECK_THROWS_AS(program_file::read(folder / "missing"), std::system_error);
    CHECK_THROWS_AS(program_file::read(folder.path()), std::invalid_argument);
    CHECK_THROWS_AS(program_file::read(folder.write("empty", "")), std::invalid_argument);
}
