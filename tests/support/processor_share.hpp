// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/patience.hpp"

#include <sys/resource.h>

#include <chrono>

namespace brood::test
{

/// How much of one processor this process, without its children, has used since this was made.
class processor_share
{
public:
    double percent() const
    {
        std::chrono::duration<double> passed = clock::now() - begun_, used = used_by_now() - used_;
        return 100 * used.count() / passed.count();
    }

private:
    static std::chrono::microseconds used_by_now()
    {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }

    clock::time_point begun_ = clock::now();
    std::chrono::microseconds used_ = used_by_now();
};

/// A limit in percent, for as long as this run needs.
inline double patient_percent(double limit)
{
    return limit * std::chrono::duration<double>(patient(std::chrono::seconds(1))).count();
}

} // namespace brood::test
