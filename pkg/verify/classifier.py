import sys
try:
    import numpy as np
except ImportError:
    print("numpy is not installed in this image")
    sys.exit()

rng = np.random.default_rng(0) if hasattr(np.random, "default_rng") else np.random.RandomState(0)
normal = rng.standard_normal if hasattr(rng, "standard_normal") else rng.randn
# The seven segments of a digit as (row, column, height, width) of a 28x28 image.
segments = dict(a=(3, 8, 3, 12), b=(5, 18, 9, 3), c=(14, 18, 9, 3), d=(22, 8, 3, 12), e=(14, 7, 9, 3), f=(5, 7, 9, 3), g=(12, 8, 3, 12))
shapes = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]


def draw(digit, shift):
    image = np.zeros((28, 28))
    for name in shapes[digit]:
        row, column, height, width = segments[name]
        image[row:row + height, column:column + width] = 1
    return np.roll(image, shift, axis=(0, 1)).ravel()


def sample(count):
    labels = np.arange(count) % 10
    shifts = [(int(i) % 3 - 1, int(i) // 3 % 3 - 1) for i in np.arange(count) // 10]
    images = np.array([draw(int(label), shift) for label, shift in zip(labels, shifts)])
    return images + 0.3 * np.asarray(normal(images.size)).reshape(images.shape), labels


images, labels = sample(600)
weights = np.zeros((784, 10))
wanted = np.eye(10)[labels]
for step in range(80):
    scores = images.dot(weights)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights -= 0.02 / len(images) * 10 * images.T.dot(scores / scores.sum(axis=1, keepdims=True) - wanted)
images, labels = sample(300)
print("accuracy %.3f" % (images.dot(weights).argmax(axis=1) == labels).mean())
