// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/signature.hpp>
#include <brood/codec/message.hpp>
#include <brood/pool/internal/call_message.hpp>

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brood::detail
{

/// The worker of a function that needs no state.
struct no_state
{
};

/// The class whose member a pool calls.
template <class Function>
struct state_of
{
    using type = no_state;
};

template <class Member, class Class>
struct state_of<Member Class::*>
{
    using type = Class;
};

template <class Parameters>
struct call_parameters
{
    static constexpr bool by_value = true;
    using type = std::tuple<>;

    static constexpr bool check() { return true; }
};

template <class... Parameters>
struct call_parameters<type_list<Parameters...>>
{
    static constexpr bool by_value = !((std::is_lvalue_reference_v<Parameters> &&
                                        !std::is_const_v<std::remove_reference_t<Parameters>>) ||
                                       ...);
    using type = std::tuple<std::remove_cvref_t<Parameters>...>;

    static constexpr bool check()
    {
        return (check_message<written_part<std::remove_cvref_t<Parameters>>>() && ...);
    }
};

/// What a pool calls: what it takes, what it gives, and what is wrong with it.
template <class Function>
class pool_signature
{
    using told = signature<Function>;
    using parameters = call_parameters<typename told::parameters>;
    using returned = awaited<typename told::result>;

    static_assert(told::known,
                  "brood: a pool calls one function, captureless lambda or member function that "
                  "names its types, without overloads and auto");
    static_assert(parameters::by_value,
                  "brood: what a pool calls takes its parameters by value or const&: they come "
                  "from another process, and what it would change is not there");
    static_assert(!std::is_reference_v<typename returned::type> &&
                      !std::is_pointer_v<typename returned::type>,
                  "brood: what a pool calls returns a value: what it would refer to is in "
                  "another process");

    static constexpr bool check_result()
    {
        using given = typename returned::type;
        if constexpr (!std::is_void_v<given> && !std::is_reference_v<given> &&
                      !std::is_pointer_v<given>)
            return check_message<typename crossing<given>::written>();
        else
            return true;
    }

    static_assert(!parameters::by_value || parameters::check());
    static_assert(check_result());

public:
    using result = typename returned::type;
    using arguments = typename parameters::type;
    using state = typename state_of<Function>::type;
    using request = call_request<arguments>;
    using written = typename crossing<result>::written;
    using reply = call_reply<written>;

    static constexpr bool is_coroutine = returned::coroutine;
    static constexpr bool has_state = !std::is_same_v<state, no_state>;
};

/// As what an argument of a worker's state crosses.
template <class Argument>
struct stored_argument
{
    using type = std::decay_t<Argument>;
};

template <class Argument>
requires std::is_same_v < std::decay_t<Argument>,
const char* > || std::is_same_v<std::decay_t<Argument>, char*> struct stored_argument<Argument>
{
    using type = std::string;
};

template <class Argument>
using stored_argument_t = typename stored_argument<Argument>::type;

} // namespace brood::detail
