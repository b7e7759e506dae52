// SPDX-License-Identifier: BSL-1.0
// Workers that talk to each other through the primary: what one says, all hear.
//
// Prints:
//   ann: hello
//   bob: hello ann
//   ann: good bye
#include <brood/brood.hpp>

#include <iostream>
#include <string>

struct line
{
    std::string from, text;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(from, text);
    }
};

brood::task<> guest(brood::process& self) // runs in the workers
{
    std::string name = self.worker_slot() == 0 ? "ann" : "bob";
    if (name == "ann")
        self.send(line{name, "hello"});
    while (auto heard = co_await self.message<line>())
    {
        if (name == "bob" && heard->text == "hello")
            self.send(line{name, "hello " + heard->from});
        if (name == "ann" && heard->text == "hello ann")
            self.send(line{name, "good bye"});
    }
}

brood::task<> primary() // runs here
{
    brood::cluster_settings settings;
    settings.size = 2;
    brood::cluster<guest> room(settings);
    co_await room.ready();
    while (auto said = co_await room.message<line>())
    {
        std::cout << said->message.from << ": " << said->message.text << '\n';
        room.send(said->message);
        if (said->message.text == "good bye")
            break;
    }
    co_await room.stop();
}

int main()
{
    return brood::run(primary);
}
