// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/http/detail/client_exchange.hpp>
#include <brood/http/upload.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace brood::http
{
namespace detail
{

inline task<bool> send_piece(std::shared_ptr<client_exchange> by, std::string before,
                             std::string_view text, std::string_view behind)
{
    auto all = co_await client_exchange::write(by, before, text, behind);
    co_return all;
}

inline task<bool> send_last(std::shared_ptr<client_exchange> by, std::string before,
                            std::string_view text, std::string_view behind)
{
    auto all = co_await client_exchange::write(by, before, text, behind);
    if (all)
        by->sent();
    co_return all;
}

} // namespace detail

BROOD_INLINE task<bool> upload::write(std::string_view text)
{
    must_not_be_ended();
    std::string before;
    auto framed = exchange_->body().frame(before, text);
    return detail::send_piece(exchange_, std::move(before), framed.text, framed.behind);
}

BROOD_INLINE task<bool> upload::end(std::string_view text)
{
    must_not_be_ended();
    std::string before;
    auto framed = exchange_->body().frame_last(before, text);
    ended_ = true;
    return detail::send_last(exchange_, std::move(before), framed.text, framed.behind);
}

BROOD_INLINE task<client_response> upload::response()
{
    if (std::exchange(answered_, true))
        throw std::logic_error("brood: http: this response has been taken");
    return receive(exchange_);
}

BROOD_INLINE void upload::must_not_be_ended() const
{
    if (ended_)
        throw std::logic_error("brood: http: this request has ended");
}

BROOD_INLINE task<client_response> upload::receive(std::shared_ptr<detail::client_exchange> from)
{
    co_await detail::client_exchange::read_head(from);
    co_return client_response(from);
}

} // namespace brood::http
