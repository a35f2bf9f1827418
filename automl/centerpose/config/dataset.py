"""The ``dataset`` block: where the data is, how it is loaded, and what targets are made of it."""

from dataclasses import dataclass

from automl.centerpose.config.fields import INF, Facts, setting

__all__ = ["Dataset"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data, loading, augmentation and targets."""

    train_data: str = setting(
        "",
        Facts(
            "Training data",
            "Folder of training images, each with its annotation JSON beside it. An extracted "
            "folder: the trainer does not open archives.",
        ),
    )
    test_data: str = setting(
        "", Facts("Test data", "Folder of annotated images that the evaluate action scores.")
    )
    val_data: str = setting(
        "",
        Facts(
            "Validation data",
            "Folder of annotated images scored every train.validation_interval epochs. Needs at "
            "least dataset.batch_size images per GPU.",
        ),
    )
    inference_data: str = setting(
        "",
        Facts(
            "Inference data", "Folder of images for the inference action; no annotations needed."
        ),
    )
    batch_size: int = setting(
        4,
        Facts(
            "Batch size",
            "Images per GPU and step, in training, validation, evaluation and inference alike. "
            "A split smaller than the batch times the GPUs is an error. The largest consumer of "
            "GPU memory: a batch of 32 takes 21 GiB with DLA34 and 35 GiB with fan_small.",
            minimum=1,
            maximum=INF,
        ),
    )
    workers: int = setting(
        8,
        Facts(
            "Loader processes",
            "Processes per GPU (threads in the trainer of this package) that read and augment "
            "images. Lower it where several trials share a host's cores.",
            minimum=1,
            maximum=INF,
        ),
    )
    pin_memory: bool = setting(
        True,
        Facts(
            "Pin host memory",
            "Keeps loaded batches in page-locked memory, which speeds up the copy to a GPU.",
        ),
    )
    num_classes: int = setting(
        1,
        Facts(
            "Categories",
            "Object categories of the model. Must be 1: the centre head has one channel; train "
            "one model per category.",
            minimum=1,
            maximum=INF,
        ),
    )
    num_joints: int = setting(
        8,
        Facts(
            "Keypoints per object",
            "Corners of the object's 3D box. Always 8; annotations with another number do not "
            "fit this network.",
            minimum=8,
            maximum=8,
        ),
    )
    max_objs: int = setting(
        10,
        Facts(
            "Objects per image",
            "Most annotated objects of one image that become targets; the rest are not learnt.",
            minimum=1,
            maximum=INF,
        ),
    )
    mean: tuple[float, ...] = setting(
        (0.40789654, 0.44719302, 0.47026115),
        Facts(
            "Channel means",
            "Subtracted from the pixels after scaling them to 0..1; three numbers in the order "
            "blue, green, red.",
        ),
    )
    std: tuple[float, ...] = setting(
        (0.28863828, 0.27408164, 0.27809835),
        Facts(
            "Channel deviations",
            "Divisors of the pixels after the means are subtracted, in the order of dataset.mean.",
        ),
    )
    eig_val: tuple[float, ...] = setting(
        (0.2141788, 0.01817699, 0.00341571),
        Facts(
            "Colour eigenvalues",
            "Strength of the lighting noise along each principal colour direction.",
            key="_eig_val",
        ),
    )
    eig_vec: tuple[tuple[float, ...], ...] = setting(
        (
            (-0.58752847, -0.69563484, 0.41340352),
            (-0.5832747, 0.00994535, -0.81221408),
            (-0.56089297, 0.71832671, 0.41158938),
        ),
        Facts(
            "Colour eigenvectors",
            "Principal colour directions of the lighting noise, one row per channel.",
            key="_eig_vec",
        ),
    )
    category: str = setting(
        "cereal_box",
        Facts(
            "Object category",
            "Category to learn, as the annotations spell it. It also decides how symmetric "
            "objects are treated.",
        ),
    )
    num_symmetry: int = setting(
        1,
        Facts(
            "Symmetry steps",
            "Equivalent poses about the object's vertical axis, evenly spaced; 1 for none. Each "
            "step multiplies the targets; the loss keeps the best of them per image.",
            minimum=1,
            maximum=INF,
        ),
    )
    mse_loss: bool = setting(
        False,
        Facts(
            "Targets for a squared error",
            "Prepares targets for a squared error on the heatmaps. Leave it off: on, the "
            "container's loader stops with an error.",
        ),
    )
    center_3d: bool = setting(
        False,
        Facts(
            "Centre from 3D",
            "Takes the projected 3D centre as an object's centre instead of the centre of its "
            "2D box.",
            key="center_3D",
        ),
    )
    obj_scale: bool = setting(
        True,
        Facts(
            "Object size targets",
            "Makes targets for the object's relative size, which the pose solver needs. Leave "
            "it on.",
        ),
    )
    use_absolute_scale: bool = setting(
        False,
        Facts(
            "Sizes in metres",
            "Learns sizes in metres instead of sizes relative to the height. Only sensible where "
            "all objects are annotated at true scale.",
        ),
    )
    obj_scale_uncertainty: bool = setting(
        False,
        Facts(
            "Size uncertainty targets",
            "For a size loss with learnt uncertainty. Leave it off: no head predicts it and the "
            "training stops.",
        ),
    )
    dense_hp: bool = setting(
        False,
        Facts(
            "Dense keypoint targets",
            "Spreads keypoint offsets over the whole centre blob. Leave it off: on, the container "
            "stops with an error.",
        ),
    )
    hps_uncertainty: bool = setting(
        False,
        Facts(
            "Keypoint uncertainty targets",
            "For a keypoint loss with learnt uncertainty. Leave it off: no head predicts it and "
            "the training stops.",
        ),
    )
    reg_bbox: bool = setting(
        True,
        Facts(
            "2D box targets", "Makes targets for the width and height of the 2D box. Leave it on."
        ),
    )
    reg_offset: bool = setting(
        True,
        Facts(
            "Centre offset targets",
            "Makes targets for the part of the centre lost by rounding to a cell. Leave it on.",
        ),
    )
    hm_hp: bool = setting(
        True,
        Facts(
            "Keypoint heatmap targets", "Makes one heatmap per keypoint as a target. Leave it on."
        ),
    )
    reg_hp_offset: bool = setting(
        True,
        Facts(
            "Keypoint offset targets",
            "Makes targets for the part of each keypoint lost by rounding. Leave it on.",
        ),
    )
    flip_idx: tuple[tuple[int, ...], ...] = setting(
        ((1, 5), (3, 7), (2, 6), (4, 8)),
        Facts(
            "Mirrored keypoints",
            "Pairs of keypoints, counted from 1, that change places when an image is mirrored.",
        ),
    )
    no_color_aug: bool = setting(
        False,
        Facts(
            "No colour augmentation",
            "Turns off the random brightness, contrast, saturation and lighting. Worth trying "
            "where colour identifies the object.",
        ),
    )
    not_rand_crop: bool = setting(
        False,
        Facts(
            "No random crop",
            "Shows every training image whole, without random scale and shift. Leave it off in "
            "the container, which stops with an error for want of settings.",
        ),
    )
    aug_rot: int = setting(
        0,
        Facts(
            "Rotation augmentation",
            "Probability of rotating an image, not an angle. Leave it at 0: anything above stops "
            "the training, because the angle has no setting.",
            minimum=0,
            maximum=INF,
        ),
    )
    flip: float = setting(
        0.5,
        Facts(
            "Mirror probability",
            "Probability, from 0 to 1, that a training image is mirrored left to right. Objects "
            "whose left and right differ are learnt wrongly by it: lower it for those.",
            minimum=0.1,
            maximum=1.0,
        ),
    )
    input_res: int = setting(
        512,
        Facts(
            "Input size",
            "Side of the square network input, in pixels. The container is built for 512. The "
            "trainer of this package takes any multiple of 64; a smaller input costs accuracy and "
            "saves time in proportion to its area.",
            minimum=512,
            maximum=512,
        ),
    )
    output_res: int = setting(
        128,
        Facts(
            "Output size",
            "Side of the square output maps, in cells: dataset.input_res divided by "
            "model.down_ratio. Accuracy falls quickly below 64.",
            minimum=128,
            maximum=128,
        ),
    )
