// The static member of a template is one object for the whole process where the compiler may make it a unique symbol.
#include <jackfield/module.h>

template <typename T>
struct __attribute__((visibility("default"))) Shared {
    static T value;
};
template <typename T>
T Shared<T>::value{};

extern "C" JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) {
    Shared<int>::value = 3;
    return nullptr;
}
