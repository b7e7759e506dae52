// refused: the object whose member function a pool calls cannot be made
#include <brood/pool/pool.hpp>

struct state
{
    explicit state(int);
    int work() { return 0; }
};

int main()
{
    brood::pool<&state::work> calls(brood::pool_settings{}, "text");
}
