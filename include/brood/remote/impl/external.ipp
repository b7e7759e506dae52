// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/by_external.hpp>
#include <brood/remote/detail/private_network.hpp>
#include <brood/remote/detail/token_file.hpp>
#include <brood/remote/external.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

BROOD_INLINE std::shared_ptr<launcher> external(const std::string& address,
                                                const external_options& options)
{
    options.check();
    auto place = detail::read_place(address);
    if (!place)
        throw std::invalid_argument("brood: workers cannot come to '" + address +
                                    "': an address is written tcp://host:port");
    auto path = detail::token_path(options.token_file);
    if (path.empty())
        throw std::invalid_argument(
            "brood: workers that come by themselves prove a token: name its "
            "file by external_options::token_file or BROOD_TOKEN_FILE");
    place->encrypted = place->encrypted || options.encrypt.value_or(false);
    auto sockets = detail::listen_at(*place);
    std::vector<std::string> hosts;
    for (auto& each : sockets)
        hosts.push_back(detail::place_of(each).host);
    if (!place->encrypted)
        detail::check_encryption(address, hosts, options.encrypt);
    detail::make_token(path);
    auto token = detail::read_token(path);
    return std::make_shared<detail::by_external>(std::move(sockets), place->encrypted, token,
                                                 options);
}

} // namespace brood
