// refused: what travels beside a message, descriptors and shared_bytes, cannot be mapped
#include <brood/base/descriptor.hpp>
#include <brood/pool/pool.hpp>

#include <vector>

int reads(brood::descriptor)
{
    return 0;
}

int main()
{
    brood::pool<reads> calls;
    std::vector<brood::descriptor> files;
    auto results = calls.map(files);
}
