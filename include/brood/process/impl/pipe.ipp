// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/pipe_core.hpp>
#include <brood/process/pipe.hpp>

#include <utility>

namespace brood
{
BROOD_INLINE pipe_reader::pipe_reader(asio::any_io_executor executor, descriptor end)
    : core_(std::make_shared<detail::pipe_core>(std::move(executor), std::move(end)))
{
}

BROOD_INLINE pipe_reader::executor_type pipe_reader::get_executor() const noexcept
{
    return core_->executor();
}

BROOD_INLINE bool pipe_reader::is_open() const noexcept
{
    return core_->is_open();
}

BROOD_INLINE task<std::string> pipe_reader::read_some()
{
    return detail::pipe_core::read_some(core_);
}

BROOD_INLINE task<std::optional<std::string>> pipe_reader::read_line(std::size_t longest)
{
    return detail::pipe_core::read_line(core_, longest);
}

BROOD_INLINE task<std::string> pipe_reader::read_all(std::size_t most)
{
    return detail::pipe_core::read_all(core_, most);
}

BROOD_INLINE std::string pipe_reader::read_now()
{
    return core_->read_now();
}

BROOD_INLINE void pipe_reader::close()
{
    core_->close();
}

BROOD_INLINE pipe_writer::pipe_writer(asio::any_io_executor executor, descriptor end)
    : core_(std::make_shared<detail::pipe_core>(std::move(executor), std::move(end)))
{
}

BROOD_INLINE pipe_writer::pipe_writer(const pipe_reader& of) : core_(detail::pipe_core::of(of)) {}

BROOD_INLINE pipe_writer::executor_type pipe_writer::get_executor() const noexcept
{
    return core_->executor();
}

BROOD_INLINE bool pipe_writer::is_open() const noexcept
{
    return core_->is_open();
}

BROOD_INLINE task<> pipe_writer::write(std::string text)
{
    return detail::pipe_core::write_all(core_, std::move(text));
}

BROOD_INLINE void pipe_writer::close()
{
    core_->close_writing();
}

} // namespace brood
