#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace jackfield::base {

/// std::function that takes move-only callables and keeps captures of up to 64 bytes inline. C++20 has no
/// std::move_only_function, and std::function copies what it holds.
template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
  public:
    UniqueFunction() = default;

    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
                 std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
    UniqueFunction(F&& function) {  // NOLINT(google-explicit-constructor): stands in for any callable
        using Held = std::remove_cvref_t<F>;
        if constexpr (sizeof(Held) <= inline_size && alignof(Held) <= alignof(std::max_align_t) &&
                      std::is_nothrow_move_constructible_v<Held>) {
            ::new (storage_) Held(std::forward<F>(function));
            ops_ = &inline_ops<Held>;
        } else {
            ::new (storage_) Held*(new Held(std::forward<F>(function)));
            ops_ = &heap_ops<Held>;
        }
    }

    UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    UniqueFunction(const UniqueFunction&) = delete;
    UniqueFunction& operator=(const UniqueFunction&) = delete;
    ~UniqueFunction() { reset(); }

    explicit operator bool() const { return ops_ != nullptr; }
    R operator()(Args... args) { return ops_->call(storage_, std::forward<Args>(args)...); }

  private:
    static constexpr std::size_t inline_size = 64;
    struct Ops {
        R (*call)(void*, Args&&...);
        void (*move)(void* to, void* from);
        void (*destroy)(void*);
    };

    template <typename Held>
    static constexpr Ops inline_ops = {
        [](void* at, Args&&... args) -> R { return (*static_cast<Held*>(at))(std::forward<Args>(args)...); },
        [](void* to, void* from) {
            ::new (to) Held(std::move(*static_cast<Held*>(from)));
            static_cast<Held*>(from)->~Held();
        },
        [](void* at) { static_cast<Held*>(at)->~Held(); }};

    template <typename Held>
    static constexpr Ops heap_ops = {
        [](void* at, Args&&... args) -> R { return (**static_cast<Held**>(at))(std::forward<Args>(args)...); },
        [](void* to, void* from) { ::new (to) Held*(*static_cast<Held**>(from)); },
        [](void* at) { delete *static_cast<Held**>(at); }};

    void take(UniqueFunction& other) {
        ops_ = other.ops_;
        if (ops_) ops_->move(storage_, other.storage_);
        other.ops_ = nullptr;
    }
    void reset() {
        if (ops_) ops_->destroy(storage_);
        ops_ = nullptr;
    }

    alignas(std::max_align_t) std::byte storage_[inline_size];
    const Ops* ops_ = nullptr;
};

using Task = UniqueFunction<void()>;

}  // namespace jackfield::base
