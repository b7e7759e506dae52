// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/resource.h>

namespace brood::test
{

/// The soft limit of this process while this object lives.
class lowered_limit
{
public:
    lowered_limit(__rlimit_resource what, rlim_t soft) : what_(what)
    {
        ::getrlimit(what_, &before_);
        auto low = before_;
        low.rlim_cur = soft;
        ::setrlimit(what_, &low);
    }

    ~lowered_limit() { ::setrlimit(what_, &before_); }

    lowered_limit(const lowered_limit&) = delete;
    lowered_limit& operator=(const lowered_limit&) = delete;

private:
    __rlimit_resource what_;
    rlimit before_{};
};

} // namespace brood::test
