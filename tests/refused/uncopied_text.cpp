// refused: a std::string_view does not own its characters; send a std::string
#include <brood/codec/message.hpp>

#include <string_view>

int main()
{
    brood::check_message<std::string_view>();
}
