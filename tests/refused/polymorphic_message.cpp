// refused: use a std::variant of the classes, or specialise brood::allow_polymorphic
#include <brood/codec/message.hpp>

#include <cereal/types/memory.hpp>

struct shape
{
    virtual ~shape() = default;

    template <class Archive>
    void serialize(Archive&)
    {
    }
};

struct drawing
{
    std::vector<std::unique_ptr<shape>> shapes;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(shapes);
    }
};

int main()
{
    brood::check_message<drawing>();
    brood::buffer bytes;
    brood::encode(bytes, drawing());
}
