// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/quiet_write.hpp>

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Set by tests: do as on a system without memfd_create.
inline bool without_memfd = false;

/// A piece of a file in memory.
class mapping
{
public:
    mapping(const descriptor& file, std::size_t size, int protection, int flags) : size_(size)
    {
        if (size != 0)
            address_ = check(::mmap(nullptr, size, protection, flags, file.get(), 0), "map memory");
    }

    mapping(mapping&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0))
    {
    }

    mapping& operator=(mapping&&) = delete;

    ~mapping()
    {
        if (size_ != 0)
            ::munmap(address_, size_);
    }

    std::span<std::byte> bytes() const noexcept
    {
        return {static_cast<std::byte*>(address_), size_};
    }

private:
    void* address_ = nullptr;
    std::size_t size_ = 0;
};

/// A file without a name on the disk, for systems that have none in memory.
inline descriptor make_unnamed_file()
{
    auto directory = std::getenv("TMPDIR");
    std::string name = std::string(directory != nullptr ? directory : "/tmp") + "/brood-XXXXXX";
    descriptor file(check(::mkostemp(name.data(), O_CLOEXEC), "make file", name));
    ::unlink(name.c_str());
    return file;
}

inline descriptor open_memory_file()
{
#ifdef MFD_ALLOW_SEALING
    if (!without_memfd)
    {
        descriptor file(::memfd_create("brood", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        // Kernels without the call say ENOSYS, sandboxes EPERM.
        if (file || (errno != ENOSYS && errno != EPERM))
            return descriptor(check(file.release(), "memfd_create"));
    }
#endif
    return make_unnamed_file();
}

/// A file of `size` zero bytes that only this process can reach.
inline descriptor make_memory_file(std::size_t size)
{
    auto file = open_memory_file();
    auto set = without_sigxfsz([&] { return ::ftruncate(file.get(), static_cast<off_t>(size)); });
    check(set, "set size of shared memory", std::to_string(size));
    return file;
}

#ifdef F_ADD_SEALS
inline constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

/// From here on nobody can change the file. Where there are no seals, receivers make a copy.
inline void seal_memory_file(const descriptor& file)
{
    ::fcntl(file.get(), F_ADD_SEALS, all_seals);
}

/// Whether nobody can change or cut off what is in the file.
inline bool is_sealed(const descriptor& file)
{
    auto seals = ::fcntl(file.get(), F_GET_SEALS);
    return seals != -1 &&
           (seals & (F_SEAL_SHRINK | F_SEAL_WRITE)) == (F_SEAL_SHRINK | F_SEAL_WRITE);
}
#else
inline void seal_memory_file(const descriptor&) {}

inline bool is_sealed(const descriptor&)
{
    return false;
}
#endif

inline std::size_t size_of_file(const descriptor& file)
{
    struct stat about = {};
    check(::fstat(file.get(), &about), "shared memory");
    if (!S_ISREG(about.st_mode))
        throw_system_error(EINVAL, "shared memory", "that is not a file");
    return static_cast<std::size_t>(about.st_size);
}

/// Fills `to` from the start of the file. A file that was cut off is an error, where mapped memory
/// would be a SIGBUS.
inline void read_file(const descriptor& file, std::span<std::byte> to)
{
    std::size_t done = 0;
    while (done < to.size())
    {
        auto rest = to.subspan(done);
        auto count = check(retry(
                               [&] {
                                   return ::pread(file.get(), rest.data(), rest.size(),
                                                  static_cast<off_t>(done));
                               }),
                           "read shared memory");
        if (count == 0)
            throw_system_error(EIO, "read shared memory", "that was cut off");
        done += static_cast<std::size_t>(count);
    }
}

} // namespace brood::detail
